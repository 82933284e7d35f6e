"""The read-only SQL interface of the embedded home: what a query may do, and the HTTP dialect it is asked in.

chDB has no users and full access to the machine's files, and ``readonly = 1`` alone does not stop a query from
reading or writing them. So a query is admitted (`admission`) before it runs (`gateway`): only what is on a list passes.
"""
