"""How downstream services hear of us: the public events, the relay that sends them, and the topic read back."""
