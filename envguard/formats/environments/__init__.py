"""What people ask for: environment.yml, pip's lines, pixi.toml; read, written and edited."""
