"""What is known of a judge: agreement with people, bias by order and length, canaries."""
