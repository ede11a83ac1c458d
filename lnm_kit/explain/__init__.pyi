from .class_activation import grad_cam as grad_cam
from .contributions import Contributions as Contributions
from .contributions import mean_absolute_shap as mean_absolute_shap
from .contributions import shap_values as shap_values
from .embedding import embed_cases as embed_cases
from .embedding import tsne as tsne
