"""How a database gets the tables: Alembic's steps, which ship with the package."""
