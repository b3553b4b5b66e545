"""Tests of the sandbox: real sockets, and a real room where one is needed."""
