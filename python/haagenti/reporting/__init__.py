"""What people read about a conversion: reports, listings, verification, tables, the model card.

Not responsible for: converting (`haagenti.conversion`).
"""
