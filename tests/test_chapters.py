"""Every chapter runs to its end in the smoke profile, through the command that a reader uses."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from lnm_kit.cli import app
