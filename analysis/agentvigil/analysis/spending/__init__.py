"""What agents spend: budgets, and what a month will come to."""
