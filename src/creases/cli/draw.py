def draw() -> None:
    """draw"""
