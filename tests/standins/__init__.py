"""Stand-ins for the cloud vendors: each speaks its vendor's wire protocol on a port of its own.

A stand-in is an async context manager listening on 127.0.0.1. Real clients are pointed at its
`url`, tests steer it through plain Python: constructor arguments, `state`, `fail()`.
`assert_all_used()` tells whether the client did what the script expected.

None of them is the vendor: they check one key, follow a script, and know no billing, no rate
limits, no time-outs and no media.
"""
