"""A recorded market, played again through the exchange."""
