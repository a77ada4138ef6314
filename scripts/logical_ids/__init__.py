"""The logical ids of deployed resources, which no release may change by mistake."""
