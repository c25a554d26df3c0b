"""Tensor files: safetensors and ``.hct``, read and written, with records decoded on demand.

Not responsible for: models of many files (`haagenti.sources`, `haagenti.sinks`), or frameworks (`haagenti.numpy`, `haagenti.torch`).
"""
