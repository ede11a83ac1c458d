from .backbones import NETWORKS as NETWORKS
from .backbones import ImageNetwork as ImageNetwork
from .backbones import build_network as build_network
from .stages import stage_table as stage_table
from .weights import load_weights as load_weights
from .weights import save_weights as save_weights
