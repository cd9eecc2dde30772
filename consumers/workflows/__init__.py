"""Chains and groups: what follows a job that ended, and the joins where groups meet again."""
