"""Names in paths that senders chose: ``{name:text}`` takes any, slashes and new lines too."""

from starlette.convertors import PathConvertor, register_url_convertor


class _AnyText(PathConvertor):
    """Whatever stands there; Starlette's ``path`` ends at a new line."""

    regex = "(?s:.*)"


register_url_convertor("text", _AnyText())
