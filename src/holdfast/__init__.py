"""Hold on to your customers: calibrated churn risk and customer value, explained, turned into a list with a control."""
