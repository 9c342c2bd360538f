"""How likely a loan is not repaid: features, scores with reasons, and the models behind them."""
