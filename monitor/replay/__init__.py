"""What rules would have made of a recorded load: the deciding code in production, and its score."""
