"""The sync core: how histories that grew apart become one.

Pure: no Flask, SQL, clock or network. Start reading at `merge.merge`; `change` holds the values that
travel, `policies` what each policy decides, `states` the visit's state machines, `scope` who gets what,
`feed` how a replica reads on, and `client` a whole replica written against the protocol.
"""
