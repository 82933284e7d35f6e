"""The spans that Anthropic's SDK makes itself."""

from calls import anthropic_sdk
from driving import drive

drive(lambda _: None, *anthropic_sdk.ALL)
