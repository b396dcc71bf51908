"""What rules and settings would have made of a demand: clock, shop and till around production's own rules."""
