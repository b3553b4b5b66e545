"""What the server answers: sessions, resources, the LITE WebSocket, and the control plane."""
