"""The site: settings, addresses, the servers it stands on, and what runs its parts."""
