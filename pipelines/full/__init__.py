"""A conversation that LiveAvatar runs itself (`TRANSPORT=full`): begun, followed and ended here.

Its ears, voice and face are LiveAvatar's, so there is nothing to build for those parts.
"""
