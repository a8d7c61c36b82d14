"""What each skip connection of a trained generator carries, and how gradients reach its levels."""
