"""Event logs of any size -> the data contract's daily tables, by Ibis expressions.

DuckDB inside the process by default, another engine of Ibis (Spark) by its address. Nothing here
is loaded, and no engine is needed, by a shop that has no event log.
"""
