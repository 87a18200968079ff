"""The command line: each verb says what it takes, asks a service, and tells the answer to people or programs."""
