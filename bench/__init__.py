import logging

logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of each request
