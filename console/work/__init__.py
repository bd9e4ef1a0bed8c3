"""What a test is: its task, its prompts, its turns and its score."""
