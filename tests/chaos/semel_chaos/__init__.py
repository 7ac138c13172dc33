"""The proof harness: breaks a running Semel on purpose and compares what the gateways accepted with what Semel says.

Nothing here uses Semel's own code: people and their canonical addresses, the reading of Kafka's records and of the
ledger, and the judgement are written anew, so that one mistake cannot hide in both.
"""
