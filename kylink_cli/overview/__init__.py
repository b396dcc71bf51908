"""What looks and changes nothing: status, doctor, figures, the live view."""
