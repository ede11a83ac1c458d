"""Lets pyradiomics 3.0.1 be built by Python 3.12 and later.

Its setup.py uses two names of configparser that Python 3.12 dropped. This folder is on PYTHONPATH
only while pyradiomics is installed.
"""

import configparser


class SafeConfigParser(configparser.ConfigParser):
    """The class under its old name, with its old method."""

    def readfp(self, file, filename=None):
        """Read from an open file."""
        self.read_file(file, filename)


if not hasattr(configparser, "SafeConfigParser"):
    configparser.SafeConfigParser = SafeConfigParser
