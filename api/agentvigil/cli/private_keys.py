"""Private keys in files, for whoever serves or calls by TLS."""


def no_password() -> str:
    """Stand where OpenSSL, without a password callback, would ask for one at the terminal.

    Raises:
        ValueError: always, since the key it is called for is encrypted.
    """
    raise ValueError("the private key is encrypted; store it without a password, readable by this user alone")
