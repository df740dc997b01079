"""The database: typed tables, queries that speak domain objects, one transaction at a time.

`open_engine(url)` opens SQLite or PostgreSQL, `Store(engine)` gives transactions (`Tx`), `migrate` keeps the schema.
"""
