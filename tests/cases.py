"""The cases of all papers, each from the paper's own test file."""

import importlib
import sys
from pathlib import Path

DIRECTORY = Path(__file__).parent / "models"

if str(DIRECTORY) not in sys.path:
    sys.path.insert(0, str(DIRECTORY))

PAPERS = [importlib.import_module(file.stem) for file in sorted(DIRECTORY.glob("test_*.py"))]
CASES = [case for paper in PAPERS for case in paper.CASES]
ROLES = {name: roles for paper in PAPERS for name, roles in paper.ROLES.items()}
BY_NAME = {case.name: case for case in CASES}

# What replicas have to agree on beyond gradients, and a model that has it: these are held against
# one device in the quick round, all others in the slow one. What is of another kind goes in here.
SHARED = {
    "GAN": "dropout, and a momentum that is a schedule",
    "DCGAN": "the moments of batch normalization",
    "WGAN": "clipped weights, and rounds of the critic before a step",
    "DRAGAN": "the deviation of the whole batch, and a penalty's numbers",
    "SNGAN": "the vectors of the power iteration",
    "BEGAN": "a control variable that follows the losses",
}

# Two processes are held against one device with these: they sum gradients as two replicas do, which
# all models are held against. What replicas share they have to share too.
OF_WORKERS = {
    **SHARED,
    "InfoGAN": "codes that are drawn beside the latents",
    "CatGAN": "an entropy of the whole batch",
    "CycleGAN": "a history of fakes",
    "SemiSupervisedAAE": "a network that several players train",
    "SSGAN": "first weights by data, and the means of whole batches",
    "SRGAN": "small data beside large ones, and features that no player trains",
}
