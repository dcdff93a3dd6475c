"""What happens when something breaks: killed servers, edited journals."""
