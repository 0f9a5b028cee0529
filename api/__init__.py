"""What do other programs call? The versioned REST API, providers' webhooks, unsubscribe links; JSON in, JSON out."""
