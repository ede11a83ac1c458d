"""The commands on runs: ``lnm run``, ``lnm sweep``, ``lnm compare`` and ``lnm runs``."""
