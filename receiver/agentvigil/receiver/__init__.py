"""Takes OTLP in over gRPC and HTTP and answers only when the store has it."""
