"""`avatar eval`: conversations as YAML, held by a viewer who looks at the face."""
