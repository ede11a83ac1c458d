"""Which feature of the Image Biomarker Standardisation Initiative each feature is."""

IBSI: dict[str, dict[str, tuple[str, str]]] = {
    "firstorder": {
        "10Percentile": ("QG58", "stat_p10"),
        "90Percentile": ("8DWT", "stat_p90"),
        "Energy": ("N8CA", "stat_energy"),
        "Entropy": ("TLU2", "ih_entropy"),
        "InterquartileRange": ("SALO", "stat_iqr"),
        "Kurtosis": ("IPH6", "stat_kurt"),
        "Maximum": ("84IY", "stat_max"),
        "MeanAbsoluteDeviation": ("4FUA", "stat_mad"),
        "Mean": ("Q4LE", "stat_mean"),
        "Median": ("Y12H", "stat_median"),
        "Minimum": ("1GSF", "stat_min"),
        "Range": ("2OJQ", "stat_range"),
        "RobustMeanAbsoluteDeviation": ("1128", "stat_rmad"),
        "RootMeanSquared": ("5ZWQ", "stat_rms"),
        "Skewness": ("KE2A", "stat_skew"),
        "Uniformity": ("BJ5W", "ih_uniformity"),
        "Variance": ("ECT3", "stat_var"),
    },
    "shape": {
        "Elongation": ("Q3CK", "morph_pca_elongation"),
        "Flatness": ("N17B", "morph_pca_flatness"),
        "LeastAxisLength": ("7J51", "morph_pca_least_axis"),
        "MajorAxisLength": ("TDIC", "morph_pca_maj_axis"),
        "Maximum3DDiameter": ("L0JK", "morph_diam"),
        "MeshVolume": ("RNU0", "morph_volume"),
        "MinorAxisLength": ("P9VJ", "morph_pca_min_axis"),
        "Sphericity": ("QCFX", "morph_sphericity"),
        "SurfaceArea": ("C0JK", "morph_area_mesh"),
        "SurfaceVolumeRatio": ("2PR5", "morph_av"),
        "VoxelVolume": ("YEKZ", "morph_vol_approx"),
    },
    "glcm": {
        "Autocorrelation": ("QWB0", "cm_auto_corr"),
        "ClusterProminence": ("AE86", "cm_clust_prom"),
        "ClusterShade": ("7NFM", "cm_clust_shade"),
        "ClusterTendency": ("DG8W", "cm_clust_tend"),
        "Contrast": ("ACUI", "cm_contrast"),
        "Correlation": ("NI2N", "cm_corr"),
        "DifferenceAverage": ("TF7R", "cm_diff_avg"),
        "DifferenceEntropy": ("NTRS", "cm_diff_entr"),
        "DifferenceVariance": ("D3YU", "cm_diff_var"),
        "Id": ("IB1Z", "cm_inv_diff"),
        "Idm": ("WF0Z", "cm_inv_diff_mom"),
        "Idmn": ("1QCO", "cm_inv_diff_mom_norm"),
        "Idn": ("NDRX", "cm_inv_diff_norm"),
        "Imc1": ("R8DG", "cm_info_corr1"),
        "Imc2": ("JN9H", "cm_info_corr2"),
        "InverseVariance": ("E8JP", "cm_inv_var"),
        "JointAverage": ("60VM", "cm_joint_avg"),
        "JointEnergy": ("8ZQL", "cm_energy"),
        "JointEntropy": ("TU9B", "cm_joint_entr"),
        "MaximumProbability": ("GYBY", "cm_joint_max"),
        "SumAverage": ("ZGXS", "cm_sum_avg"),
        "SumEntropy": ("P6QZ", "cm_sum_entr"),
        "SumSquares": ("UR99", "cm_joint_var"),
    },
    "glrlm": {
        "GrayLevelNonUniformity": ("R5YN", "rlm_glnu"),
        "GrayLevelNonUniformityNormalized": ("OVBL", "rlm_glnu_norm"),
        "GrayLevelVariance": ("8CE5", "rlm_gl_var"),
        "HighGrayLevelRunEmphasis": ("G3QZ", "rlm_hgre"),
        "LongRunEmphasis": ("W4KF", "rlm_lre"),
        "LongRunHighGrayLevelEmphasis": ("3KUM", "rlm_lrhge"),
        "LongRunLowGrayLevelEmphasis": ("IVPO", "rlm_lrlge"),
        "LowGrayLevelRunEmphasis": ("V3SW", "rlm_lgre"),
        "RunEntropy": ("HJ9O", "rlm_rl_entr"),
        "RunLengthNonUniformity": ("W92Y", "rlm_rlnu"),
        "RunLengthNonUniformityNormalized": ("IC23", "rlm_rlnu_norm"),
        "RunPercentage": ("9ZK5", "rlm_r_perc"),
        "RunVariance": ("SXLW", "rlm_rl_var"),
        "ShortRunEmphasis": ("22OV", "rlm_sre"),
        "ShortRunHighGrayLevelEmphasis": ("GD3A", "rlm_srhge"),
        "ShortRunLowGrayLevelEmphasis": ("HTZT", "rlm_srlge"),
    },
    "glszm": {
        "GrayLevelNonUniformity": ("JNSA", "szm_glnu"),
        "GrayLevelNonUniformityNormalized": ("Y1RO", "szm_glnu_norm"),
        "GrayLevelVariance": ("BYLV", "szm_gl_var"),
        "HighGrayLevelZoneEmphasis": ("5GN9", "szm_hgze"),
        "LargeAreaEmphasis": ("48P8", "szm_lze"),
        "LargeAreaHighGrayLevelEmphasis": ("J17V", "szm_lzhge"),
        "LargeAreaLowGrayLevelEmphasis": ("YH51", "szm_lzlge"),
        "LowGrayLevelZoneEmphasis": ("XMSY", "szm_lgze"),
        "SizeZoneNonUniformity": ("4JP3", "szm_zsnu"),
        "SizeZoneNonUniformityNormalized": ("VB3A", "szm_zsnu_norm"),
        "SmallAreaEmphasis": ("5QRC", "szm_sze"),
        "SmallAreaHighGrayLevelEmphasis": ("HW1V", "szm_szhge"),
        "SmallAreaLowGrayLevelEmphasis": ("5RAI", "szm_szlge"),
        "ZoneEntropy": ("GU8N", "szm_zs_entr"),
        "ZonePercentage": ("P30P", "szm_z_perc"),
        "ZoneVariance": ("3NSA", "szm_zs_var"),
    },
    "gldm": {
        "DependenceEntropy": ("FCBV", "ngl_dc_entr"),
        "DependenceNonUniformity": ("Z87G", "ngl_dcnu"),
        "DependenceNonUniformityNormalized": ("OKJI", "ngl_dcnu_norm"),
        "DependenceVariance": ("DNX2", "ngl_dc_var"),
        "GrayLevelNonUniformity": ("FP8K", "ngl_glnu"),
        "GrayLevelVariance": ("1PFV", "ngl_gl_var"),
        "HighGrayLevelEmphasis": ("OAE7", "ngl_hgce"),
        "LargeDependenceEmphasis": ("IMOQ", "ngl_hde"),
        "LargeDependenceHighGrayLevelEmphasis": ("9QMG", "ngl_hdhge"),
        "LargeDependenceLowGrayLevelEmphasis": ("NBZI", "ngl_hdlge"),
        "LowGrayLevelEmphasis": ("TL9H", "ngl_lgce"),
        "SmallDependenceEmphasis": ("SODN", "ngl_lde"),
        "SmallDependenceHighGrayLevelEmphasis": ("JA6D", "ngl_ldhge"),
        "SmallDependenceLowGrayLevelEmphasis": ("EQ3F", "ngl_ldlge"),
    },
    "ngtdm": {
        "Busyness": ("NQ30", "ngt_busyness"),
        "Coarseness": ("QCDE", "ngt_coarseness"),
        "Complexity": ("HDEZ", "ngt_complexity"),
        "Contrast": ("65HE", "ngt_contrast"),
        "Strength": ("1X9X", "ngt_strength"),
    },
}
"""Class and feature to the identifier in the reference manual and the tag in the reference tables.

Features that are not in the standard have no entry: `TotalEnergy`, `MCC`, the three diameters in a
plane, and all of `shape2D`. pyradiomics, and so the engine, departs from the standard here:

- `Kurtosis` is not reduced by 3.
- `BinWidth` puts an edge at zero; the standard starts the first bin at the region's minimum or at a
  fixed lower bound.
- A texture feature of one slice is the mean over its four directions; the standard names this "2D,
  averaged" and allows five other ways.
- `gldm` is the standard's neighboring gray-level dependence matrix, with a coarseness of 0.
- Marching cubes resolves one of two mirrored ambiguous cases differently from the other. That moves
  `SurfaceArea` where pixels touch by a corner only.

*Source*: Image Biomarker Standardisation Initiative, reference manual, sections 3.1 to 3.11; tables
of reference values for its digital phantom.
"""
