"""One TOML file per study: how its simulated patients are drawn."""
