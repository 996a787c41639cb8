"""A first configuration for raw tables: what can be guessed is guessed and said, what decides the answer is marked."""

from holdfast.init.configuration import write_configuration
from holdfast.init.draft import Draft
from holdfast.init.guessing import guess

__all__ = ["Draft", "guess", "write_configuration"]
