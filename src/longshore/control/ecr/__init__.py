"""Images and the registry behind them kept true."""
