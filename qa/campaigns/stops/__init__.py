"""How long `corneum stop` takes on a computer where everything stands in its way."""
