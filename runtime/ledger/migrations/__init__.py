"""Creates and upgrades the tables with Alembic. The migrations ship with the package."""
