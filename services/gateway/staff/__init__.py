"""Staff at the gateway: they sign in through an OpenID provider, choose one role, and have a session until they leave."""
