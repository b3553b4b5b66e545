"""Tests of LiveAvatar's client: real sockets, and a real room where one is needed."""
