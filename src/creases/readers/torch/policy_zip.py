"""`.zip` files of stable-baselines3: a policy's state dict, `policy.pth`, among other members.

Only this member is read, like any `.pth` file. The others hold pickles of whole objects and are not read. A note says
that the squashing or clipping of actions and the normalisation of observations are left out.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

from creases.errors import ModelFileError
from creases.network import Network
from creases.readers.damage import damage_named
from creases.readers.torch.file import read_torch_file
from creases.readers.weights.answers import Answers

__all__ = ["read_policy_zip"]

MEMBER = "policy.pth"
BLOWUP = 1032  # deflate writes no more than 1032 bytes for one
DEFAULTS = (
    "Of stable-baselines3's policies PPO's and A2C's have Tanh if not told otherwise, which is not piecewise linear; "
    "DQN's, SAC's and TD3's have ReLU."
)
BESIDE = (
    "squashing or clipping of actions, and normalisation of observations (VecNormalize), are not among a policy's "
    "weights; they are left out."
)


def read_policy_zip(data: bytes, source: str, answers: Answers) -> Network:
    """The network in a policy of stable-baselines3, as `model.save` writes it.

    data : the whole file. source : its name, for messages. answers : the caller's arguments for weights without a
        graph.
    Raises ModelFileError if the file is damaged or of another kind, or if an argument is missing (the message shows the
    call), and the exceptions of `read_torch_file`.
    """
    with damage_named(source), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if MEMBER not in members:
            raise ModelFileError(
                f"{source} is no policy of stable-baselines3: it holds no {MEMBER}. Unpack other archives."
            )
        claimed, stored = members[MEMBER].file_size, members[MEMBER].compress_size
        if claimed > BLOWUP * stored or stored > len(data):
            raise ModelFileError(f"{source}: {MEMBER} claims {claimed:,} bytes, which it cannot have: it is damaged.")
        policy = archive.read(MEMBER)
    try:
        network = read_torch_file(policy, source, answers)
    except ModelFileError as error:
        if answers.activation is not None or "creases.load(" not in str(error):
            raise
        raise ModelFileError(f"{error} {DEFAULTS}") from error
    return replace(network, notes=(*network.notes, f"{source}: {BESIDE}"))
