"""Print the reference table and the simulated properties as Markdown."""

import sys

from tests.evaluation.references import PROPERTIES, REFERENCES
from tests.evaluation.references.row import property_table, reference_table

if __name__ == "__main__":
    sys.stdout.write(f"{reference_table(REFERENCES)}\n\n{property_table(PROPERTIES)}\n")
