"""`python -m tests.simulated.dst`"""

import sys

from tests.simulated.dst.run import main

sys.exit(main())
