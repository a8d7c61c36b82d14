"""What a plugin's components are, one interface a file. Authors import these names from `genlab` itself."""
